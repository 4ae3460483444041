interface ImportMetaEnv {
  /** The backend's address. devinit sets it before Vite starts, to the port that the backend really got. */
  readonly VITE_API_URL?: string
}
