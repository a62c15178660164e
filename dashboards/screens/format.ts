/** Values as text, as far as the dashboards' units go. */
export function formatValue(value: unknown, unit: string | undefined, decimals?: number): string {
  if (value === null || value === undefined || value === '') return ''
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value !== 'number') return String(value)
  switch (unit) {
    case 'percent':
      return `${fixed(value, decimals)} %`
    case 'ms':
      return value >= 10_000 ? `${fixed(value / 1000, 1)} s` : `${fixed(value, decimals)} ms`
    case 's':
      return `${fixed(value, decimals)} s`
    case 'pps':
      return `${short(value, decimals)} p/s`
    case 'bytes':
      return `${short(value, 1, 1024)}B`
    case 'short':
      return short(value, decimals)
    case 'dtdurations':
      return duration(value)
    case 'dateTimeAsIso':
      return new Date(value).toISOString().slice(11, 19)
    default:
      return fixed(value, decimals)
  }
}

function fixed(value: number, decimals?: number): string {
  if (decimals !== undefined) return value.toFixed(decimals)
  return String(Math.round(value * 100) / 100)
}

function short(value: number, decimals?: number, base = 1000): string {
  const names = ['', 'K', 'M', 'G', 'T']
  let scale = 0
  let rest = value
  while (Math.abs(rest) >= base && scale < names.length - 1) {
    rest /= base
    scale++
  }
  const text = scale === 0 ? fixed(rest, decimals) : String(Math.round(rest * 10) / 10)
  return scale === 0 ? text : `${text} ${names[scale]}`
}

function duration(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds * 10) / 10} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${Math.round(seconds - minutes * 60)} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character])
}
