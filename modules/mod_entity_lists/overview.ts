import {
  JID,
  renderTable,
  StanzaError,
  type AdhocCommand,
  type CommandNote,
  type FormDef,
  type FormField
} from '#core'
import { actOnEach, done, OWN } from '../lib_admin'
import { nameOfList, type Desk } from './commands'
import { isWhite, LISTS, type ListName } from './rules'

const ALL = 'all'
const MAX_REMOVED = 1000

const WHICH: FormField = {
  var: 'list',
  type: 'list-single',
  label: 'Which list',
  options: [
    { value: ALL, label: 'All of them' },
    ...LISTS.map(list => ({ value: list, label: `The ${nameOfList(list)}` }))
  ]
}

const TABLE: FormDef = {
  formType: OWN,
  title: 'Black and white lists',
  fields: [
    { var: 'list', label: 'List' },
    { var: 'jid', type: 'jid-single', label: 'Address' }
  ]
}

/** Reading the lists, and taking entries off without sending back whole lists. */
export function overviewCommands(desk: Desk): AdhocCommand[] {
  return [showCommand(desk), removeCommand(desk)]
}

function showCommand({ ctx, lists }: Desk): AdhocCommand {
  const command = 'entity-lists'
  return {
    node: `${OWN}#${command}`,
    name: 'Show black and white lists',
    access: 'admin',
    onAccount: true,
    reads: true,
    stages: [
      {
        form: () => ({
          formType: OWN,
          title: 'Black and white lists',
          instructions: 'Shows who is on the lists, and what that means for an address.',
          fields: [
            WHICH,
            { var: 'jid', type: 'jid-single', label: 'What holds for this address; all entries without one' }
          ],
          values: { list: ALL }
        })
      }
    ],
    finish(said, run) {
      const jid = typeof said.jid === 'string' && said.jid !== '' ? JID.parse(said.jid) : undefined
      const forms = jid && new Set([jid.full, jid.bare, jid.domain])
      const rows = chosen(said.list).flatMap(list =>
        lists
          .of(list)
          .filter(one => forms === undefined || forms.has(one))
          .map(one => ({ list, jid: one }))
      )
      done({ ctx, run, command }, jid?.full ?? ctx.host.name)
      const notes: CommandNote[] = jid ? [{ type: 'info', text: verdictOn(jid) }] : []
      return { form: renderTable(TABLE, rows), notes }
    }
  }

  function verdictOn(jid: JID): string {
    const { judge } = lists.state
    const word = (refused: boolean): string => (refused ? 'refused' : 'allowed')
    return `From ${jid.full}: ${word(judge.refuses('in', jid))}. To ${jid.full}: ${word(judge.refuses('out', jid))}.`
  }
}

function removeCommand({ ctx, lists, edits }: Desk): AdhocCommand {
  const command = 'entity-lists-remove'
  return {
    node: `${OWN}#${command}`,
    name: 'Remove from black and white lists',
    access: 'admin',
    onAccount: true,
    stages: [
      {
        form: () => ({
          formType: OWN,
          title: 'Remove from black and white lists',
          fields: [
            {
              var: 'jids',
              type: 'jid-multi',
              label: 'Addresses, written as on the list',
              required: true,
              maxValues: MAX_REMOVED
            },
            WHICH
          ],
          values: { list: ALL }
        }),
        check(said, run) {
          for (const list of chosen(said.list).filter(isWhite)) {
            const gone = new Set(said.jids as string[])
            const left = lists.of(list).filter(jid => !gone.has(jid))
            edits.checkList({ list, field: 'jids', run }, left)
          }
        }
      }
    ],
    async finish(said, run) {
      const jids = said.jids as string[]
      const from = new Map<string, ListName[]>(jids.map(jid => [jid, []]))
      for (const list of chosen(said.list)) {
        const wanted = jids.filter(jid => lists.of(list).includes(jid))
        if (wanted.length === 0) continue
        // All at once: half a whitelist may shut out whom all of it lets in
        const { removed } = await lists.change(list, { added: [], removed: wanted }, left =>
          edits.checkList({ list, field: 'jids', run }, left)
        )
        for (const jid of removed) from.get(jid)?.push(list)
      }
      return actOnEach({ ctx, run, command }, jids, jid => {
        const names = (from.get(jid) ?? []).map(nameOfList)
        if (names.length === 0) throw new StanzaError('item-not-found', 'is not on the list')
        return `was removed from the ${names.join(' and the ')}`
      })
    }
  }
}

function chosen(list: unknown): ListName[] {
  return LISTS.filter(one => list === one || list === ALL || list === undefined || list === '')
}
