import { useState } from 'react'
import type { Note } from './api'

interface NoteWallProps {
  notes: Note[] | null
  problem: string
  takeDown: (id: number) => Promise<void>
}

export function NoteWall({ notes, problem, takeDown }: NoteWallProps) {
  if (problem) return <p className="empty">The notes cannot be read: {problem}.</p>
  if (!notes) return <p className="empty">The notes are on their way…</p>
  if (notes.length === 0) return <p className="empty">The wall is all yours. Write the first note.</p>

  return (
    <ul className="wall" aria-label="Notes">
      {notes.map((note) => (
        <PinnedNote key={note.id} note={note} takeDown={takeDown} />
      ))}
    </ul>
  )
}

function PinnedNote({ note, takeDown }: { note: Note; takeDown: NoteWallProps['takeDown'] }) {
  const [problem, setProblem] = useState('')

  return (
    <li className={`note pinned ${note.paper} tilt-${note.id % 5}`}>
      <p className="message">{note.message}</p>
      <p className="signature">
        {note.author}
        <time dateTime={note.created_at} title={new Date(note.created_at).toLocaleString()}>
          {ago(note.created_at)}
        </time>
      </p>
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <button
        className="take-down"
        aria-label={`Take down the note by ${note.author}`}
        title="Take it down"
        onClick={() => takeDown(note.id).catch((reason: Error) => setProblem(reason.message))}
      >
        ×
      </button>
    </li>
  )
}

const steps: [seconds: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
]
const words = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' })

function ago(moment: string): string {
  const seconds = (Date.now() - Date.parse(moment)) / 1000
  const step = steps.find(([length]) => seconds >= length)
  return step ? words.format(-Math.floor(seconds / step[0]), step[1]) : 'just now'
}
