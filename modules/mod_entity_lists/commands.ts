import type { AdhocCommand, CommandNote, Context, FormDef, FormValues } from '#core'
import { ADMIN, done } from '../lib_admin'
import type { Edits } from './edits'
import type { Config } from './index'
import type { Difference, Lists } from './lists'
import { isWhite, type ListName } from './rules'
import type { Shown } from './shown'

/** Addresses that a note names. */
const MAX_NAMED = 20

/** XEP-0133 §4.11, §4.12: the text and the examples have two names for one command. */
const COMMANDS: readonly { node: string; list: ListName }[] = [
  { node: 'edit-blacklist', list: 'blacklist' },
  { node: 'add-to-blacklist-in', list: 'blacklist-in' },
  { node: 'add-to-blacklist-out', list: 'blacklist-out' },
  { node: 'edit-whitelist', list: 'whitelist' },
  { node: 'add-to-whitelist', list: 'whitelist' },
  { node: 'add-to-whitelist-in', list: 'whitelist-in' },
  { node: 'add-to-whitelist-out', list: 'whitelist-out' }
]

/** What the commands of this module work with. */
export interface Desk {
  ctx: Context<Config>
  lists: Lists
  shown: Shown
  edits: Edits
}

export function editCommands(desk: Desk): AdhocCommand[] {
  return COMMANDS.map(({ node, list }) => editCommand(desk, node, list))
}

function editCommand({ ctx, lists, shown, edits }: Desk, command: string, list: ListName): AdhocCommand {
  const colour = isWhite(list) ? 'whitelist' : 'blacklist'
  const field = `${colour}jids`
  const form = formOf(list, field, () => ctx.config.maxEntries)
  const jidsIn = (said: FormValues): string[] | undefined => said[field] as string[] | undefined
  return {
    node: `${ADMIN}#${command}`,
    name: nameOf(command, list),
    access: 'admin',
    onAccount: true,
    stages: [
      {
        form(_, run) {
          const jids = lists.of(list)
          shown.show(run, list, jids)
          return { ...form(), values: { [field]: [...jids] } }
        },
        check(said, run) {
          const edit = { list, field, jids: jidsIn(said), run }
          edits.check(edit, edits.differenceOf(edit))
        }
      }
    ],
    async finish(said, run) {
      const edit = { list, field, jids: jidsIn(said), run }
      const wanted = edits.differenceOf(edit)
      const before = lists.of(list).length
      const difference = await lists.change(list, wanted, jids => edits.checkList(edit, jids))
      for (const jid of difference.added) done({ ctx, run, command }, jid, `is on the ${nameOfList(list)}`)
      for (const jid of difference.removed)
        done({ ctx, run, command }, jid, `is not on the ${nameOfList(list)} any more`)
      return { notes: notesOf(list, difference, before, lists.of(list).length) }
    }
  }
}

/** §4.11, §4.12: the forms of examples 38 and 42. */
function formOf(list: ListName, field: string, maxEntries: () => number): () => FormDef {
  const white = isWhite(list)
  const word = list.endsWith('-in') ? 'inbound ' : list.endsWith('-out') ? 'outbound ' : ''
  return () => ({
    formType: ADMIN,
    title: `Editing the ${white ? 'Whitelist' : 'Blacklist'}`,
    instructions: `Fill out this form to edit the list of entities with whom ${word}communications are ${white ? 'allowed' : 'disallowed'}.`,
    fields: [
      {
        var: field,
        type: 'jid-multi',
        label: `The ${white ? 'whitelist' : 'blacklist'}`,
        // Others may have added some meanwhile; how many there may be is checked with theirs
        maxValues: 2 * maxEntries()
      }
    ]
  })
}

/** `whitelist for inbound stanzas`. */
export function nameOfList(list: ListName): string {
  const [colour = '', way] = list.split('-')
  return way === undefined ? colour : `${colour} for ${way}bound stanzas`
}

function nameOf(command: string, list: ListName): string {
  const [, way] = list.split('-')
  const verb = command.startsWith('edit') || way !== undefined ? 'Edit' : 'Add to'
  const colour = isWhite(list) ? 'Whitelist' : 'Blacklist'
  return `${verb} ${colour}${way === undefined ? '' : ` (${way}bound)`}`
}

/** What was done; nothing where nothing was. */
function notesOf(list: ListName, { added, removed }: Difference, before: number, now: number): CommandNote[] {
  const notes: CommandNote[] = []
  if (added.length > 0)
    notes.push({ type: 'info', text: `Added to the ${nameOfList(list)}: ${named(added)}.` })
  if (removed.length > 0)
    notes.push({ type: 'info', text: `Removed from the ${nameOfList(list)}: ${named(removed)}.` })
  if (isWhite(list) && before === 0 && now > 0)
    notes.push({
      type: 'warn',
      text: 'Whoever is elsewhere and on no whitelist is refused from now on, until the list is empty again.'
    })
  return notes
}

function named(jids: readonly string[]): string {
  const rest = jids.length - MAX_NAMED
  return rest > 0 ? `${jids.slice(0, MAX_NAMED).join(', ')} and ${rest} more` : jids.join(', ')
}
