/** Hours of a week. */
const HOURS = 168
/** Weeks seen before an hour of the week is known. */
const LEAST_WEEKS = 2
/** Weight of the newest week once more than so many are known. */
const OLDEST_WEEKS = 6
/** Minutes with a value that make an hour count. */
const LEAST_MINUTES = 20
/** Groups whose usual values are learnt, per rule. */
const MOST_GROUPS = 512

/** What is usual in one hour of the week. */
interface UsualHour {
  weeks: number
  mean: number
  /** Mean of the variance within the hour and of its mean over weeks. */
  variance: number
}

interface Learning {
  hours: (UsualHour | undefined)[]
  /** The running hour. */
  hour: number
  count: number
  mean: number
  squares: number
}

/** As kept on disk: hours that are known, `[hour of week, weeks, mean, variance]`. */
export interface BaselineState {
  version: 1
  groups: { rule: string; group: string; hours: [number, number, number, number][] }[]
}

/**
 * What is usual at this hour of the week, for each group of each rule that asks: learnt from one value a minute while
 * nothing is wrong. Bounded: groups beyond the bound have no baseline (`overflow`).
 */
export class Baselines {
  private readonly groups = new Map<string, Learning>()
  private readonly perRule = new Map<string, number>()
  overflow = 0
  private isFixed = false
  private readonly hourOf: (timeMs: number) => number

  /** @param timeZone IANA name: whose hours and days */
  constructor(timeZone: string) {
    this.hourOf = hourOfWeek(timeZone)
  }

  /** A value of a calm minute. */
  learn(rule: string, group: string, timeMs: number, value: number): void {
    if (!Number.isFinite(value) || this.isFixed) return
    const key = `${rule}\n${group}`
    let learning = this.groups.get(key)
    if (!learning) {
      const known = this.perRule.get(rule) ?? 0
      if (known >= MOST_GROUPS) {
        this.overflow++
        return
      }
      this.perRule.set(rule, known + 1)
      learning = { hours: [], hour: -1, count: 0, mean: 0, squares: 0 }
      this.groups.set(key, learning)
    }
    const hour = this.hourOf(timeMs)
    if (hour !== learning.hour) {
      closeHour(learning)
      learning.hour = hour
    }
    learning.count++
    const delta = value - learning.mean
    learning.mean += delta / learning.count
    learning.squares += delta * (value - learning.mean)
  }

  /** Mean and standard deviation usual now; undefined while this hour of the week is not known. */
  usual(rule: string, group: string, timeMs: number): { mean: number; deviation: number } | undefined {
    const known = this.groups.get(`${rule}\n${group}`)?.hours[this.hourOf(timeMs)]
    if (!known || known.weeks < LEAST_WEEKS) return undefined
    return { mean: known.mean, deviation: Math.sqrt(known.variance) }
  }

  get state(): BaselineState {
    const groups: BaselineState['groups'] = []
    for (const [key, { hours }] of this.groups) {
      const [rule, group] = key.split('\n')
      const known = [...hours.entries()].flatMap(([hour, usual]): [number, number, number, number][] =>
        usual ? [[hour, usual.weeks, usual.mean, usual.variance]] : [],
      )
      if (known.length > 0) groups.push({ rule, group, hours: known })
    }
    return { version: 1, groups }
  }

  /** As `restore`, and nothing more is learnt. */
  goBy(state: BaselineState): void {
    this.restore(state)
    this.isFixed = true
  }

  restore({ groups }: BaselineState): void {
    for (const { rule, group, hours } of groups) {
      const learning: Learning = { hours: [], hour: -1, count: 0, mean: 0, squares: 0 }
      for (const [hour, weeks, mean, variance] of hours)
        if (hour >= 0 && hour < HOURS) learning.hours[hour] = { weeks, mean, variance }
      if (!this.groups.has(`${rule}\n${group}`)) this.perRule.set(rule, (this.perRule.get(rule) ?? 0) + 1)
      this.groups.set(`${rule}\n${group}`, learning)
    }
  }
}

/** The running hour becomes a week's worth of its hour. */
function closeHour(learning: Learning): void {
  const { hour, hours, count, mean, squares } = learning
  learning.count = learning.mean = learning.squares = 0
  if (hour < 0 || count < LEAST_MINUTES) return
  const within = count > 1 ? squares / (count - 1) : 0
  const known = hours[hour]
  if (!known) {
    hours[hour] = { weeks: 1, mean, variance: within }
    return
  }
  const weight = 1 / Math.min(known.weeks + 1, OLDEST_WEEKS)
  const delta = mean - known.mean
  known.mean += weight * delta
  known.variance = (1 - weight) * (known.variance + weight * delta * delta) + weight * within
  known.weeks++
}

/** 0 = Monday 00:00 to 01:00 in the zone. Looked up once per hour of UTC: zones change on quarter hours at least. */
function hourOfWeek(timeZone: string): (timeMs: number) => number {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    hourCycle: 'h23',
  })
  const days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
  let quarter = NaN
  let hour = 0
  return (timeMs) => {
    const now = Math.floor(timeMs / 900_000)
    if (now !== quarter) {
      quarter = now
      const parts = format.formatToParts(timeMs)
      const part = (type: string): string => parts.find((p) => p.type === type)?.value ?? ''
      hour = days.indexOf(part('weekday')) * 24 + Number(part('hour'))
    }
    return hour
  }
}
