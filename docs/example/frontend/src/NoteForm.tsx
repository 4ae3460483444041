import { useState, type FormEvent } from 'react'
import { papers, type NewNote, type Paper } from './api'

const MESSAGE_LENGTH = 280

export function NoteForm({ pin }: { pin: (note: NewNote) => Promise<void> }) {
  const [author, setAuthor] = useState('')
  const [message, setMessage] = useState('')
  const [paper, setPaper] = useState<Paper>('lemon')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState('')

  async function submit(event: FormEvent) {
    event.preventDefault()
    setBusy(true)
    setProblem('')
    try {
      await pin({ author, message, paper })
      setMessage('')
    } catch (reason) {
      setProblem(`Your note is not on the wall: ${reason instanceof Error ? reason.message : String(reason)}.`)
    } finally {
      setBusy(false)
    }
  }

  return (
    <form className={`note writing ${paper}`} onSubmit={submit}>
      <label className="hidden" htmlFor="message">
        Your message
      </label>
      <textarea
        id="message"
        value={message}
        onChange={(event) => setMessage(event.target.value)}
        placeholder="Write something nice…"
        maxLength={MESSAGE_LENGTH}
        rows={4}
        required
      />
      <label className="hidden" htmlFor="author">
        Your name
      </label>
      <input
        id="author"
        value={author}
        onChange={(event) => setAuthor(event.target.value)}
        placeholder="Your name"
        maxLength={40}
        autoComplete="nickname"
        required
      />
      <div className="tools">
        <fieldset className="papers">
          <legend className="hidden">Paper</legend>
          {papers.map((choice) => (
            <input
              key={choice}
              type="radio"
              name="paper"
              className={choice}
              aria-label={choice}
              checked={choice === paper}
              onChange={() => setPaper(choice)}
            />
          ))}
        </fieldset>
        <button type="submit" disabled={busy || !author.trim() || !message.trim()}>
          Pin it
        </button>
      </div>
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
    </form>
  )
}
