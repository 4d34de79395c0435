import { PrecisError } from './error'

/** RFC 8264 §7: rules are applied until nothing changes any more, at most three times after the first. */
export function untilStable(rules: (text: string) => string, input: string): string {
  let text = rules(input)
  for (let again = 0; again < 3; again++) {
    const next = rules(text)
    if (next === text) return text
    text = next
  }
  throw new PrecisError('has no stable canonical form')
}

/** Fullwidth and halfwidth forms to what they decompose to (UAX #11), U+3000 among them. */
export function mapWidth(text: string): string {
  return text.replace(/[\u3000\uff01-\uffee]/gu, char => char.normalize('NFKC'))
}
