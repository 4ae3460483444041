import type { ReactNode } from 'react'

export const icons = {
  page: draw(<path d="M3 5h18v14H3zM3 9h18M6 7h.01M8.5 7h.01" />),
  backend: draw(<path d="M13 3 5 14h6l-1 7 8-11h-6z" />),
  postgres: draw(
    <path d="M4 6c0-1.7 3.6-3 8-3s8 1.3 8 3-3.6 3-8 3-8-1.3-8-3zv12c0 1.7 3.6 3 8 3s8-1.3 8-3V6M4 12c0 1.7 3.6 3 8 3s8-1.3 8-3" />,
  ),
  redis: draw(<path d="m12 3 9 4.5-9 4.5-9-4.5zM3 12l9 4.5 9-4.5M3 16.5 12 21l9-4.5" />),
}

function draw(path: ReactNode) {
  return (
    <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
      {path}
    </svg>
  )
}
