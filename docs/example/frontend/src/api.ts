// Everything the page says to the backend. The one address it needs comes from devinit.

export const apiUrl = import.meta.env.VITE_API_URL ?? ''

export const papers = ['lemon', 'rose', 'sky', 'mint', 'lilac'] as const
export type Paper = (typeof papers)[number]

export interface NewNote {
  author: string
  message: string
  paper: Paper
}

export interface Note extends NewNote {
  id: number
  created_at: string
}

export interface Check {
  up: boolean
  milliseconds: number
  error: string | null
}

export interface Health {
  status: 'ok' | 'down'
  down: string[]
  checks: { postgres: Check; redis: Check }
}

export interface Info {
  backend: { host: string; port: number }
  postgres: { host: string; port: number; database: string }
  redis: { host: string; port: number }
}

export const api = {
  notes: () => ask<Note[]>('/api/notes'),
  pin: (note: NewNote) => ask<Note>('/api/notes', { method: 'POST', body: JSON.stringify(note) }),
  takeDown: (id: number) => ask<void>(`/api/notes/${id}`, { method: 'DELETE' }),
  visits: () => ask<{ visits: number }>('/api/visits'),
  visit: () => ask<{ visits: number }>('/api/visits', { method: 'POST' }),
  info: () => ask<Info>('/api/info'),
  health,
}

async function ask<Answer>(path: string, request: RequestInit = {}): Promise<Answer> {
  const response = await send(path, request)
  if (!response.ok) throw new Error(await complaint(response))
  return response.status === 204 ? (undefined as Answer) : ((await response.json()) as Answer)
}

/** 503 is an answer here: it says which of the two servers is down. */
async function health(): Promise<Health> {
  const response = await send('/health')
  if (!response.ok && response.status !== 503) throw new Error(await complaint(response))
  return (await response.json()) as Health
}

async function send(path: string, request: RequestInit = {}): Promise<Response> {
  if (!apiUrl) throw new Error('VITE_API_URL is not set')
  const headers = request.body ? { 'Content-Type': 'application/json' } : {}
  try {
    return await fetch(apiUrl + path, { ...request, headers, signal: AbortSignal.timeout(5000) })
  } catch {
    throw new Error('the backend does not answer')
  }
}

async function complaint(response: Response): Promise<string> {
  const body: unknown = await response.json().catch(() => null)
  const detail = body && typeof body === 'object' && 'detail' in body ? body.detail : null
  return typeof detail === 'string' ? detail : `the backend answered ${response.status}`
}
