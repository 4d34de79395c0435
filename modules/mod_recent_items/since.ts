const DATE = String.raw`(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?`
const BASIC_DATE = String.raw`(\d{4})(\d{2})(\d{2})`
const TIME = String.raw`(\d{2})(?::(\d{2})(?::(\d{2}))?)?(?:[.,](\d{1,12}))?`
const BASIC_TIME = String.raw`(\d{2})(?:(\d{2})(\d{2})?)?(?:[.,](\d{1,12}))?`
const ZONE = String.raw`(Z|[+-]\d{2}(?::?\d{2})?)?`
const EXTENDED = new RegExp(`^${DATE}(?:T${TIME}${ZONE})?$`)
const BASIC = new RegExp(`^${BASIC_DATE}(?:T${BASIC_TIME}${ZONE})?$`)

/**
 * A time by ISO 8601, extended or basic, as precise as it is: the fraction belongs to the last part that is there,
 * so `10:46.100` is a tenth of a minute (protoXEP example 7). Without a zone it is UTC.
 * @returns milliseconds UTC, `undefined` where it is no time
 */
export function parseSince(text: string): number | undefined {
  if (text.length > 64) return undefined
  const found = EXTENDED.exec(text) ?? BASIC.exec(text)
  if (found === null) return undefined
  const [, year = '', month = '01', day = '01', hour, minute, second, fraction, zone] = found
  // ISO 8601: a time of day belongs to a day
  if (hour !== undefined && found[3] === undefined) return undefined
  const midnight = Date.UTC(2000, Number(month) - 1, Number(day))
  const date = new Date(midnight)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined
  const time = timeOfDay(hour, minute, second, fraction)
  const offset = offsetOf(zone)
  return time === undefined || offset === undefined ? undefined : date.getTime() + time - offset
}

function timeOfDay(hour = '0', minute?: string, second?: string, fraction?: string): number | undefined {
  const [h, m, s] = [Number(hour), Number(minute ?? 0), Number(second ?? 0)]
  // a leap second is the first of the next minute; 24:00 is the end of the day
  if (h > 24 || m > 59 || s > 60 || (h === 24 && (m > 0 || s > 0))) return undefined
  const unit = second !== undefined ? 1000 : minute !== undefined ? 60_000 : 3_600_000
  const rest = fraction === undefined ? 0 : Math.floor(Number(`0.${fraction}`) * unit)
  return h * 3_600_000 + m * 60_000 + s * 1000 + rest
}

function offsetOf(zone: string | undefined): number | undefined {
  if (zone === undefined || zone === 'Z') return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(3).replace(':', '') || 0)
  if (hours > 23 || minutes > 59) return undefined
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000
}
