import { NoteForm } from './NoteForm'
import { NoteWall } from './NoteWall'
import { useBackend } from './useBackend'
import { Visits } from './Visits'
import { Wiring } from './Wiring'

export function App() {
  const backend = useBackend()

  return (
    <div className="page">
      <header className="top">
        <div>
          <h1>Guestbook</h1>
          <p className="tagline">
            Four services, one command: <code>devinit start all</code>
          </p>
        </div>
        <Visits count={backend.visits} />
      </header>
      <Wiring backend={backend} />
      <main className="desk">
        <NoteForm pin={backend.pin} />
        <NoteWall notes={backend.notes} problem={backend.problem} takeDown={backend.takeDown} />
      </main>
    </div>
  )
}
