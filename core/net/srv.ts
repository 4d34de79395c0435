/** RFC 2782. */
export interface SrvRecord {
  /** '' for the root. */
  host: string
  port: number
  priority: number
  weight: number
}

/**
 * The order in which they are tried (RFC 2782, "Usage rules"): by priority, among equals by chance according to
 * their weights.
 */
export function inSrvOrder<R extends SrvRecord>(records: readonly R[], random = Math.random): R[] {
  const priorities = [...new Set(records.map(record => record.priority))].sort((a, b) => a - b)
  return priorities.flatMap(priority =>
    byWeight(
      records.filter(record => record.priority === priority),
      random
    )
  )
}

function byWeight<R extends SrvRecord>(records: readonly R[], random: () => number): R[] {
  // Those with weight 0 come first, so that they have a small chance too
  const waiting = [...records].sort((a, b) => Number(a.weight > 0) - Number(b.weight > 0))
  const ordered: R[] = []
  while (waiting.length > 0) {
    const sum = waiting.reduce((total, { weight }) => total + weight, 0)
    let left = Math.floor(random() * (sum + 1))
    const chosen = waiting.findIndex(({ weight }) => (left -= weight) <= 0)
    ordered.push(...waiting.splice(chosen, 1))
  }
  return ordered
}
