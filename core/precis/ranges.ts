/** Code point ranges with a value each, ascending: what the compact tables of tables.ts unfold to. */
export class RangeMap {
  readonly #first: number[] = []
  readonly #last: number[] = []
  readonly #value: string[] = []

  constructor(tables: Record<string, string>) {
    const rows = Object.entries(tables).flatMap(([value, text]) => unfold(text, value))
    rows.sort((a, b) => a.first - b.first)
    for (const row of rows) {
      this.#first.push(row.first)
      this.#last.push(row.last)
      this.#value.push(row.value)
    }
  }

  get(codePoint: number): string | undefined {
    let low = 0
    let high = this.#first.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      if (codePoint < (this.#first[middle] ?? 0)) high = middle - 1
      else if (codePoint > (this.#last[middle] ?? 0)) low = middle + 1
      else return this.#value[middle]
    }
    return undefined
  }
}

/** `gap:length` in base 36, see tables.ts. */
function unfold(text: string, value: string): { first: number; last: number; value: string }[] {
  let end = 0
  return text.split(' ').map(range => {
    const [gap = '', length = '1'] = range.split(':')
    const first = end + parseInt(gap, 36)
    end = first + parseInt(length, 36)
    return { first, last: end - 1, value }
  })
}
