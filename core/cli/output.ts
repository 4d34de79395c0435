/** Text of others (names, errors, the log of a module) must not steer the terminal it is shown on. */
export function harmless(text: string): string {
  return text.replace(/(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escaped)
}

/** As a script writes it down, by code unit: JSON has no other way. */
function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
  return units.map(unit => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}

export function print(text: string): void {
  process.stdout.write(`${harmless(text)}\n`)
}

/** For scripts. What is escaped for the terminal's sake is the same in JSON. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, undefined, 2))
}

export function printError(text: string): void {
  process.stderr.write(`${harmless(text)}\n`)
}

/** Columns as wide as what is in them; the last one is not filled up. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  // As wide as it will be shown
  const lines = [head, ...rows].map(line => line.map(harmless))
  const widths = head.map((_, column) => Math.max(...lines.map(line => (line[column] ?? '').length)))
  return lines
    .map(line =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()
    )
    .join('\n')
}

/** `1 host`, `3 hosts`. */
export function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}
