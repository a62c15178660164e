import { renderCallPage } from './call-page.js'
import { add, el, replace, button } from './dom.js'
import { renderOverview } from './overview.js'
import { useDefinitions } from './definitions.js'
import { listCalls, readOverview } from './store.js'
import { startTheme, switchTheme } from './theme.js'
import { dateTime } from './text.js'

function start(): void {
  startTheme()
  const overview = readOverview()
  useDefinitions(overview.definitions)
  const calls = listCalls(overview.rows)
  const app = document.getElementById('app') ?? document.body
  const main = el('main', { id: 'content', tabindex: -1 })
  add(
    app,
    el('a', { class: 'skip', href: '#content', onclick: skip(main) }, 'Skip to content'),
    el(
      'header',
      { class: 'bar' },
      el(
        'a',
        { class: 'home', href: '#/' },
        el('span', { class: 'mark', 'aria-hidden': true }),
        'Call quality report',
      ),
      el('span', { class: 'bar-meta' }, headerText(overview.files, overview.startMs)),
      el(
        'span',
        { class: 'bar-actions no-print' },
        button('Print', () => print(), { class: 'quiet' }),
        button('Light / dark', () => switchTheme(), { class: 'quiet', id: 'theme' }),
      ),
    ),
    main,
    el(
      'footer',
      { class: 'foot' },
      `Made by callprobe ${overview.version}. Times are UTC, of the packets. This file is complete in itself: it loads nothing and sends nothing.`,
    ),
  )
  let leave: (() => void) | undefined
  let overviewScroll = 0
  let onOverview = false
  const route = async (): Promise<void> => {
    const match = /^#\/call\/(\d+)$/.exec(location.hash)
    const call = match ? calls[Number(match[1])] : undefined
    if (onOverview) overviewScroll = scrollY
    leave?.()
    leave = undefined
    replace(main)
    if (call) {
      onOverview = false
      leave = await renderCallPage(main, overview, calls, call)
      scrollTo(0, 0)
      main.focus({ preventScroll: true })
    } else {
      onOverview = true
      leave = renderOverview(main, overview, calls)
      scrollTo(0, overviewScroll)
    }
    document.documentElement.dataset.ready = call ? `call-${call.index}` : 'overview'
  }
  addEventListener('hashchange', () => void route())
  void route()
}

function skip(main: HTMLElement): (event: Event) => void {
  return (event) => {
    event.preventDefault()
    main.focus()
  }
}

function headerText(files: readonly string[], startMs: number | undefined): string {
  const names =
    files.length > 3 ? `${files.slice(0, 2).join(', ')} and ${files.length - 2} more` : files.join(', ')
  return [names, startMs === undefined ? '' : dateTime(startMs)].filter((part) => part !== '').join(' · ')
}

start()
