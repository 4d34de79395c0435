import {
  JID,
  renderForm,
  StanzaError,
  type AdhocCommand,
  type CommandNote,
  type Context,
  type Element,
  type FormDef,
  type FormField
} from '#core'
import { actOnEach, ADMIN, type Act } from '../lib_admin'
import { accountField, accountsField, noAccount } from './addresses'
import type { AdminConfig } from './index'
import type { Logins } from './logins'
import { mustBeAllowed } from './rights'

const ACCOUNTS: FormField = { var: 'accountjids', type: 'jid-multi' }

/** XEP-0133 §4.8 to §4.10. */
export function lookupCommands(ctx: Context<AdminConfig>, logins: Logins): AdhocCommand[] {
  return [getRoster(ctx), getLastLogin(ctx, logins), getStatistics(ctx, logins)]
}

function getRoster(ctx: Context<AdminConfig>): AdhocCommand {
  const rosters = ctx.use('roster', { optional: true })
  const form: FormDef = {
    formType: ADMIN,
    title: "Getting a User's Roster",
    instructions: "Fill out this form to get a user's roster.",
    fields: [accountsField(ctx, 'The Jabber ID(s) for which to retrieve the roster')]
  }
  return {
    node: `${ADMIN}#get-user-roster`,
    name: 'Get User Roster',
    access: 'admin',
    onAccount: true,
    reads: true,
    stages: [{ form: () => form }],
    async finish(said, run) {
      if (!rosters.available) throw new StanzaError('feature-not-implemented', 'there are no rosters here')
      const act = { ctx, run, command: 'get-user-roster' }
      let contacts = 0
      const { found, notes } = await lookUp(act, said.accountjids as string[], async jid => {
        const query = await rosters.query(jid.local)
        const sum = contacts + query.children.length
        if (contacts > 0 && sum > ctx.config.maxContacts)
          throw new StanzaError('resource-constraint', 'has too many contacts for this answer: ask again')
        contacts = sum
        return query
      })
      const x = resultOf([ACCOUNTS], { accountjids: [...found.keys()] })
      // §4.8: inside the form; of several accounts in the order of their addresses
      x.children.push(...found.values())
      return { form: x, notes }
    }
  }
}

function getLastLogin(ctx: Context, logins: Logins): AdhocCommand {
  const form: FormDef = {
    formType: ADMIN,
    title: "Getting a User's Last Login Time",
    instructions: "Fill out this form to get a user's last login time.",
    fields: [accountsField(ctx, 'The Jabber ID(s) for which to retrieve the last login time')]
  }
  return {
    node: `${ADMIN}#get-user-lastlogin`,
    name: 'Get User Last Login Time',
    access: 'admin',
    onAccount: true,
    reads: true,
    stages: [{ form: () => form }],
    async finish(said, run) {
      const act = { ctx, run, command: 'get-user-lastlogin' }
      const { found, notes } = await lookUp(act, said.accountjids as string[], async ({ local }) => {
        const time = await logins.last(local)
        return time === undefined ? '' : dateTime(time)
      })
      const never = [...found].filter(([, time]) => time === '').map(([jid]) => jid)
      if (never.length > 0) notes.push({ type: 'info', text: `No login is known of: ${never.join(', ')}` })
      // One for each address, in their order; empty where there is none
      const values = { accountjids: [...found.keys()], lastlogin: [...found.values()] }
      return { form: resultOf([ACCOUNTS, { var: 'lastlogin' }], values), notes }
    }
  }
}

function getStatistics(ctx: Context, logins: Logins): AdhocCommand {
  const rosters = ctx.use('roster', { optional: true })
  const form: FormDef = {
    formType: ADMIN,
    title: 'Get User Statistics',
    instructions: 'Fill out this form to gather user statistics.',
    fields: [accountField(ctx, 'The Jabber ID for statistics')]
  }
  const fields: FormField[] = [
    { var: 'ipaddresses', type: 'list-multi' },
    { var: 'rostersize' },
    { var: 'onlineresources' },
    { var: 'stanzaspersecond' },
    { var: 'loginsperminute' }
  ]
  return {
    node: `${ADMIN}#user-stats`,
    name: 'Get User Statistics',
    access: 'admin',
    onAccount: true,
    reads: true,
    stages: [{ form: () => form }],
    async finish(said, run) {
      const act = { ctx, run, command: 'user-stats' }
      const { found } = await lookUp(act, [said.accountjid as string], async ({ local }) => {
        const sessions = [...ctx.host.sessions.of(local)]
        const contacts = rosters.available ? (await rosters.query(local)).children.length : undefined
        return {
          ipaddresses: some([...new Set(sessions.map(([, session]) => session.remoteAddress))]),
          rostersize: contacts?.toString(),
          onlineresources: some(sessions.map(([resource]) => resource)),
          stanzaspersecond: rounded(sessions.reduce((sum, [, session]) => sum + paceOf(session), 0)),
          loginsperminute: rounded(logins.lately(local) / 60)
        }
      })
      return { form: resultOf(fields, [...found.values()][0]) }
    }
  }
}

/** What each account has, by address; notes where not all could be looked up. */
async function lookUp<T>(
  act: Act,
  targets: readonly string[],
  fn: (jid: JID) => T | Promise<T>
): Promise<{ found: Map<string, T>; notes: CommandNote[] }> {
  const { ctx, run } = act
  const found = new Map<string, T>()
  const { notes = [] } = await actOnEach(act, targets, async target => {
    const jid = JID.parse(target)
    mustBeAllowed(ctx, run, jid)
    if (!(await ctx.server.accounts.exists(jid.local, jid.domain))) throw noAccount(jid)
    found.set(target, await fn(jid))
    return 'was looked up'
  })
  return { found, notes: found.size < targets.length ? notes : [] }
}

function resultOf(fields: FormField[], values: Parameters<typeof renderForm>[1]): Element {
  return renderForm({ formType: ADMIN, fields }, values, 'result')
}

/** XEP-0082 §3.2. */
function dateTime(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** Stanzas a second, since the session is there. */
function paceOf({ stanzas, since }: { stanzas: number; since: number }): number {
  return stanzas / Math.max(1, (Date.now() - since) / 1000)
}

function rounded(number: number): string {
  return String(Number(number.toFixed(3)))
}

function some(values: string[]): string[] | undefined {
  return values.length > 0 ? values : undefined
}
