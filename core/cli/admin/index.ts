import { runningServer, type Backend } from '../backend'
import { EXIT, Failure } from '../exit'
import { print, printError, printJson } from '../output'
import type { PlaceOptions } from '../place'
import { Asker, InputLines } from './asker'
import { answerOf, fill, mend, type Filled, type Sources } from './fill'
import { Given } from './given'
import { pick, shortNode } from './pick'
import type { AskedForm, CommandInfo, Completed, FormTurn, Turn } from './protocol'
import { asJson, showCommands, showForm, showResult } from './show'

export interface AdminOptions extends PlaceOptions {
  host?: string
  json?: boolean
  /** Nothing is asked but secrets. */
  yes?: boolean
}

/** What `--help` shows below the options: the commands, or why they cannot be known. */
export async function listForHelp(options: AdminOptions): Promise<void> {
  try {
    await listCommands(options)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    printError(`${error.message}\nThe commands are those of the running server.`)
  }
}

/** What there is to run, on one host or on all. */
export async function listCommands(options: AdminOptions): Promise<void> {
  const all = await commandsOf(await runningServer(options))
  const { host, json } = options
  const commands = host === undefined ? all : all.filter(one => one.host === host)
  if (commands.length === 0) {
    const hosts = [...new Set(all.map(one => one.host))].join(', ') || 'none'
    throw new Failure(`${host ?? 'The server'} has no commands; these hosts have: ${hosts}`)
  }
  if (json) printJson(commands)
  else showCommands(commands)
}

/** The forms of a command, as far as they can be known from what was given. Nothing is done. */
export async function explain(name: string, args: readonly string[], options: AdminOptions): Promise<void> {
  const given = new Given(args)
  const server = await runningServer(options)
  const command = pick(await commandsOf(server), name, { host: options.host, given, explained: true })
  const forms: AskedForm[] = []
  const answers: Filled[] = []
  while (forms.length < command.stages) {
    const turn = await next(server, command, answers, false)
    if (turn.state !== 'form' || turn.fault) break
    forms.push(turn.form)
    if (turn.last) break
    const values = given.of(turn.form)
    const fields = turn.form.fields.filter(({ type }) => type !== 'fixed')
    const filled = fields.map(field => [field.var, values.get(field.var) ?? field.values] as const)
    answers.push(new Map(filled.filter(([, some]) => some.length > 0)))
  }
  if (options.json) return printJson({ ...command, forms })
  print(`${shortNode(command.node)}: ${command.name}\n${command.node} on ${command.host}\n`)
  for (const form of forms) showForm(form)
  if (forms.length === 0) print('It takes no fields.')
  if (forms.length < command.stages)
    print(`\nAnother form follows from what is answered: give field=value with --help to see it.`)
}

/** Runs a command; asks for what is missing where there is a terminal. Resolves with the exit code. */
export async function runCommand(
  name: string,
  args: readonly string[],
  options: AdminOptions
): Promise<number> {
  const given = new Given(args)
  const server = await runningServer(options)
  const command = pick(await commandsOf(server), name, { host: options.host, given })
  const done = await dialogue(server, command, given, options)
  if (options.json) printJson(asJson(command, done))
  else showResult(done)
  if (options.json) for (const { type, text } of done.notes) if (type !== 'info') printError(text)
  return done.notes.some(({ type }) => type === 'error') ? EXIT.failed : EXIT.ok
}

/** Form after form; nothing happens before the last one is answered. */
async function dialogue(
  server: Backend,
  command: CommandInfo,
  given: Given,
  { yes = false }: AdminOptions
): Promise<Completed> {
  const lines = process.stdin.isTTY ? undefined : new InputLines()
  const said = { given, forms: [] as AskedForm[], answers: [] as Filled[] }
  if (command.stages === 0) given.mustBeUsed([])
  let turn = await next(server, command, [], command.stages === 0)
  let asker: Asker | undefined
  try {
    while (turn.state === 'form') {
      asker ??= process.stdin.isTTY ? new Asker() : undefined
      await answer(turn, said, { asker, lines, yes })
      if (turn.last) {
        // From here on it may be done; Ctrl-C just ends this process
        asker?.close()
        asker = undefined
      }
      turn = await next(server, command, said.answers, turn.last)
    }
    return turn
  } finally {
    asker?.close()
  }
}

async function answer(
  turn: FormTurn,
  said: { given: Given; forms: AskedForm[]; answers: Filled[] },
  sources: Sources
): Promise<void> {
  const { stage, form, last, fault } = turn
  const before = said.answers[stage]
  // What came after it may follow from what is changed now
  said.answers.length = said.forms.length = stage
  said.forms.push(form)
  const values = said.given.of(form)
  // Before anybody is asked for anything
  if (last) said.given.mustBeUsed(said.forms)
  said.answers.push(fault && before ? await mend(turn, before, sources) : await fill(form, values, sources))
}

async function commandsOf(server: Backend): Promise<CommandInfo[]> {
  return (await server.call('admin.list')) as CommandInfo[]
}

async function next(
  server: Backend,
  { host, node }: CommandInfo,
  answers: readonly Filled[],
  finish: boolean
): Promise<Turn> {
  return (await server.call('admin.turn', { host, node, answers: answers.map(answerOf), finish })) as Turn
}
