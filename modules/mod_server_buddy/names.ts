import { domainToASCII } from 'node:url'

/** A domain for a person: with its A-labels where another script might look alike. */
export function shown(domain: string): string {
  const ascii = domainToASCII(domain)
  return ascii === '' || ascii === domain ? domain : `${domain} (${ascii})`
}
