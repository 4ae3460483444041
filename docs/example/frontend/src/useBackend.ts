import { useCallback, useEffect, useRef, useState } from 'react'
import { api, type Health, type Info, type NewNote, type Note } from './api'

const CALM_MS = 3000
const WORRIED_MS = 1000

export type Backend = ReturnType<typeof useBackend>

/** Follow the backend: its health every few seconds, and everything else again whenever it comes back. */
export function useBackend() {
  const [health, setHealth] = useState<Health | null>(null)
  const [reachable, setReachable] = useState<boolean | null>(null)
  const [info, setInfo] = useState<Info | null>(null)
  const [notes, setNotes] = useState<Note[] | null>(null)
  const [problem, setProblem] = useState('')
  const [visits, setVisits] = useState<number | null>(null)
  const visited = useRef(false)

  useEffect(() => {
    let timer: number | undefined
    let gone = false

    async function look() {
      const answer = await api.health().catch(() => null)
      if (gone) return
      setReachable(answer !== null)
      setHealth(answer)
      timer = window.setTimeout(look, answer?.status === 'ok' ? CALM_MS : WORRIED_MS)
    }

    void look()
    return () => {
      gone = true
      window.clearTimeout(timer)
    }
  }, [])

  const postgresUp = health?.checks.postgres.up ?? false
  const redisUp = health?.checks.redis.up ?? false

  useEffect(() => {
    if (reachable) api.info().then(setInfo, () => setInfo(null))
  }, [reachable])

  useEffect(() => {
    if (!postgresUp) return
    setProblem('')
    api.notes().then(setNotes, (reason: Error) => setProblem(reason.message))
  }, [postgresUp])

  useEffect(() => {
    if (!redisUp) return
    // Opening the page is one visit, however often React mounts it or Redis goes away and returns.
    const count = visited.current ? api.visits : api.visit
    visited.current = true
    count().then((answer) => setVisits(answer.visits), () => setVisits(null))
  }, [redisUp])

  const pin = useCallback(async (note: NewNote) => {
    const pinned = await api.pin(note)
    setNotes((others) => [pinned, ...(others ?? [])])
  }, [])

  const takeDown = useCallback(async (id: number) => {
    await api.takeDown(id)
    setNotes((others) => others?.filter((note) => note.id !== id) ?? null)
  }, [])

  return { reachable, health, info, notes, problem, visits, pin, takeDown }
}
