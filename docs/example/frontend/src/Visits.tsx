/** Show the counter the way a proper guestbook always did. */
export function Visits({ count }: { count: number | null }) {
  const digits = count === null ? '·····' : String(count).padStart(5, '0')

  return (
    <div className="visits" role="img" aria-label={count === null ? 'visits: not known' : `${count} visits`}>
      <span className="odometer" aria-hidden="true">
        {[...digits].map((digit, place) => (
          <span className="digit" key={`${place}${digit}`}>
            {digit}
          </span>
        ))}
      </span>
      <span className="visits-label" aria-hidden="true">
        visits
      </span>
    </div>
  )
}
