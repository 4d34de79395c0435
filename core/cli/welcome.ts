/** What an operator has to know after the first start. */
export interface WelcomeFacts {
  version: string
  /** A line for each address. */
  listening: readonly string[]
  /** Made just now. */
  certificate?: { file: string; fingerprint: string }
  /** Made just now; its password is told here and nowhere else. */
  operator?: { jid: string; password: string }
  /** A host with accounts, for the example; without it nobody logs in here. */
  host?: string
  /** A line for each connection to another server that we are a component of. */
  attached?: readonly string[]
}

/** The text of a first start; what was made is told once. `undefined` when nothing was made. */
export function welcome(facts: WelcomeFacts): string | undefined {
  if (!facts.certificate && !facts.operator) return undefined
  const blocks = [
    [`Balcony ${facts.version} runs here for the first time.`],
    made(facts),
    facts.listening.length > 0 ? ['It listens for', ...indented(facts.listening)] : [],
    facts.attached?.length ? ['It connects as a component', ...indented(facts.attached)] : [],
    next(facts)
  ]
  const text = blocks.filter(block => block.length > 0).map(block => block.join('\n'))
  return `\n${text.join('\n\n')}\n`
}

function made({ certificate, operator }: WelcomeFacts): string[] {
  const lines: string[] = []
  if (operator) {
    lines.push(`An operator account was made: ${operator.jid}`)
    lines.push(`  password     ${operator.password}`)
    lines.push('  It is shown this once: log in with it, or keep it.')
  }
  if (certificate) {
    lines.push(`A certificate was made: ${certificate.file}`)
    lines.push(`  fingerprint  ${certificate.fingerprint} (SHA-256)`)
    lines.push(
      '  No authority has signed it: others ask whether to trust it. See tls in the config for your own.'
    )
  }
  return lines
}

function next({ host, listening, operator, attached = [] }: WelcomeFacts): string[] {
  const runs = listening.length > 0 || attached.length > 0
  const commands: [string, string][] = []
  if (!runs) commands.push(['npx balcony start', 'starts the server'])
  if (host !== undefined)
    commands.push([`npx balcony user add juliet@${host}`, 'adds an account and asks for its password'])
  else commands.push(['npx balcony status', 'tells what is connected'])
  if (operator)
    commands.push([`npx balcony user password ${operator.jid}`, "changes the operator's password"])
  const width = Math.max(...commands.map(([command]) => command.length))
  const lines = commands.map(([command, what]) => `${command.padEnd(width)}   ${what}`)
  if (runs && host !== undefined)
    lines.push(`Connect a client as juliet@${host}. An operator finds the commands of ${host} in theirs.`)
  return ['What to do next', ...indented(lines)]
}

function indented(lines: readonly string[]): string[] {
  return lines.map(line => `  ${line}`)
}
