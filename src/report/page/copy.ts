import { button } from './dom.js'

/** A button that puts text on the clipboard and says so. */
export function copyButton(label: string, text: () => string): HTMLButtonElement {
  const result = button(
    label,
    () => {
      void copy(text()).then((done) => {
        result.textContent = done ? 'Copied' : 'Could not copy'
        setTimeout(() => (result.textContent = label), 1500)
      })
    },
    { class: 'quiet' },
  )
  return result
}

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    // Pages opened from a file may not have the clipboard interface.
    const area = document.createElement('textarea')
    area.value = text
    document.body.appendChild(area)
    area.select()
    const done = document.execCommand('copy')
    area.remove()
    return done
  }
}
