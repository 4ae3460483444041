// Keeps the page true while it is open, and filters its rows.

const PERIOD = 2000
const projects = document.getElementById("projects")
const filter = document.getElementById("filter")
const live = document.getElementById("live")
let shown = ""

function applyFilter() {
    const wanted = filter.value.trim().toLowerCase()
    for (const section of projects.querySelectorAll("section")) {
        const inHead = section.querySelector("h2").textContent.toLowerCase().includes(wanted)
        let any = inHead
        for (const row of section.querySelectorAll("tbody tr")) {
            const matches = inHead || row.textContent.toLowerCase().includes(wanted)
            row.hidden = !matches
            any = any || matches
        }
        section.hidden = !any
    }
}

async function look() {
    try {
        const answer = await fetch("/?part=projects", { cache: "no-store" })
        if (!answer.ok) throw new Error(`status ${answer.status}`)
        const text = await answer.text()
        const focused = document.activeElement?.getAttribute?.("href")
        if (text !== shown) {
            projects.innerHTML = shown = text
            applyFilter()
            if (focused) projects.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus()
        }
        live.textContent = ""
    } catch {
        live.textContent = "The gateway does not answer; this is what was so before."
    }
}

filter.addEventListener("input", applyFilter)
document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== filter) {
        event.preventDefault()
        filter.focus()
    } else if (event.key === "Escape" && document.activeElement === filter) {
        filter.value = ""
        applyFilter()
        filter.blur()
    }
})
document.addEventListener("visibilitychange", () => document.hidden || look())
setInterval(() => document.hidden || look(), PERIOD)
