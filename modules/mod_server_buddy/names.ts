import { domainToASCII } from 'node:url'

/** A domain for a person: with its A-labels where another script might look alike. */
export function shown(domain: string): string {
  const ascii = domainToASCII(domain)
  return ascii === '' || ascii === domain ? domain : `${domain} (${ascii})`
}

/** A moment for a person, '' where there is none. */
export function date(ms: number | undefined): string {
  return ms === undefined
    ? ''
    : new Date(ms)
        .toISOString()
        .replace('T', ' ')
        .replace(/\.\d+Z$/, ' UTC')
}
