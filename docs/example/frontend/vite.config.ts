import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [react()],
  clearScreen: false, // the log belongs to devinit; a cleared screen would only add escape codes to it
})
