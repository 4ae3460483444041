import type { ReactNode } from 'react'
import { apiUrl, type Check } from './api'
import { icons } from './icons'
import type { Backend } from './useBackend'

type State = 'up' | 'down' | 'unknown'

/** Draw who talks to whom, on which port, and whether they are on speaking terms right now. */
export function Wiring({ backend: { reachable, health, info } }: { backend: Backend }) {
  const backendState: State = reachable === null ? 'unknown' : reachable ? 'up' : 'down'
  const postgres = health?.checks.postgres
  const redis = health?.checks.redis

  return (
    <section className="wiring" aria-label="Which ports this page talks to">
      <div className="diagram">
        <Node name="This page" role="React on Vite" icon={icons.page} address={window.location.host} state="up" place="page-node" />
        <Wire state={backendState} place="first" />
        <Node
          name="Backend"
          role="FastAPI"
          icon={icons.backend}
          address={apiUrl.replace(/^https?:\/\//, '') || 'VITE_API_URL is not set'}
          link={apiUrl && `${apiUrl}/docs`}
          state={backendState}
          place="backend"
        />
        <Wire state={stateOf(postgres)} place="upper" />
        <Wire state={stateOf(redis)} place="lower" />
        <Node
          name="PostgreSQL"
          role="notes"
          icon={icons.postgres}
          address={info && `${info.postgres.host}:${info.postgres.port}`}
          state={stateOf(postgres)}
          check={postgres}
          place="postgres store"
        />
        <Node
          name="Redis"
          role="visits"
          icon={icons.redis}
          address={info && `${info.redis.host}:${info.redis.port}`}
          state={stateOf(redis)}
          check={redis}
          place="redis store"
        />
      </div>
      <div aria-live="polite">
        <Trouble reachable={reachable} postgres={postgres} redis={redis} />
      </div>
    </section>
  )
}

interface NodeProps {
  name: string
  role: string
  icon: ReactNode
  address: string | null
  link?: string
  state: State
  check?: Check | undefined
  place: string
}

const words: Record<State, string> = { up: 'up', down: 'down', unknown: 'no word' }

function Node({ name, role, icon, address, link, state, check, place }: NodeProps) {
  return (
    <div className={`node ${place} ${state}`}>
      <span className="icon">{icon}</span>
      <span className="who">
        <strong>{name}</strong> <span className="role">{role}</span>
      </span>
      <span className="state">
        {words[state]}
        {check?.up && <span className="latency"> {check.milliseconds < 1 ? '<1' : Math.round(check.milliseconds)} ms</span>}
      </span>
      <span className="address">{link ? <a href={link}>{emphasised(address)}</a> : emphasised(address)}</span>
    </div>
  )
}

/** The port is what this page is about, so it stands out of the address. */
function emphasised(address: string | null) {
  if (!address) return '—'
  const [, host, port] = /^(.*:)(\d+)$/.exec(address) ?? [null, address, null]
  return (
    <>
      {host}
      {port && <b>{port}</b>}
    </>
  )
}

function Wire({ state, place }: { state: State; place: string }) {
  return <span className={`wire ${place} ${state}`} aria-hidden="true" />
}

interface TroubleProps {
  reachable: boolean | null
  postgres: Check | undefined
  redis: Check | undefined
}

function Trouble({ reachable, postgres, redis }: TroubleProps) {
  if (!apiUrl) {
    return (
      <p className="trouble">
        <strong>The page does not know its backend.</strong> <code>VITE_API_URL</code> is set by{' '}
        <code>devinit start</code>; for a single command there is <code>devinit run -- npm run dev</code>.
      </p>
    )
  }
  if (reachable === false) {
    return (
      <p className="trouble">
        <strong>The backend does not answer this page at {apiUrl}.</strong> <code>devinit why backend</code> says why. This page
        keeps asking and goes on by itself.
      </p>
    )
  }
  return (
    <>
      {postgres?.error && (
        <p className="trouble">
          <strong>PostgreSQL is down:</strong> {postgres.error}
        </p>
      )}
      {redis?.error && (
        <p className="trouble">
          <strong>Redis is down:</strong> {redis.error}
        </p>
      )}
    </>
  )
}

function stateOf(check: Check | undefined): State {
  if (!check) return 'unknown'
  return check.up ? 'up' : 'down'
}
