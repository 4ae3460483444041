// The way back for this browser, whichever address of this server it opens next (see server.py).
localStorage.setItem("devinit", location.pathname)
history.replaceState(null, "", location.pathname)

// Give the keys to the terminal without a click, and to the link that opens it again when it has ended.
const listen = () => {
  const closed = document.body.classList.contains("-closed")
  document.querySelector(closed ? ".ended a" : ".textual-terminal textarea")?.focus()
}
document.addEventListener("DOMContentLoaded", () => {
  // textual.js says with a class of the body that the dashboard paints, and that it has ended.
  new MutationObserver(listen).observe(document.body, { attributes: true, attributeFilter: ["class"] })
  listen()
})
window.addEventListener("focus", listen)
