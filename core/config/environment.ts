export type Environment = Readonly<Record<string, string | undefined>>

export interface Expanded {
  text: string
  /** Whether a variable was put in: the text is taken for a secret then. */
  used: boolean
  /** What is wrong, for the fault. */
  problems: string[]
}

const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g
const NAMED = /^([A-Za-z_]\w*)(?::-(.*))?$/s

/**
 * Puts environment variables into a string: `${NAME}`, or `${NAME:-default}` for one that is not set or empty.
 * `$${` stands for the characters `${`.
 */
export function expand(text: string, env: Environment): Expanded {
  const problems: string[] = []
  let used = false
  const expanded = text.replace(REFERENCE, (whole: string, inner: string | undefined, end: string) => {
    if (inner === undefined) return '${'
    const [, name, fallback] = NAMED.exec(inner) ?? []
    if (name === undefined || end === '') {
      problems.push(
        '"${" begins the name of an environment variable, as in ${NAME}; write "$${" for the characters themselves'
      )
      return whole
    }
    const value = env[name]
    used = true
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value
    if (value === undefined) problems.push(`the environment variable ${name} is not set`)
    return value ?? ''
  })
  return { text: expanded, used, problems }
}
