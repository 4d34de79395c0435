import assert from 'node:assert/strict'
import test from 'node:test'
import { childOf, childrenOf, type Element } from '../../core/xml/element'
import tables from '../data/rfc6121-tables.json'
import { Far, FAR_HOST } from '../lib/far'
import { startTestServer, type TestServer } from '../lib/server'
import { scenario, type Player } from '../lib/wire'

/*
 * RFC 6121, appendix A, on the wire: a real account is brought into each state by the stanzas that lead there, then
 * one more comes or goes, and what is routed, delivered, pushed, answered and kept is compared with the table.
 */

type StateName = keyof typeof tables.states
type Type = keyof typeof tables.outbound

const STATES = Object.keys(tables.states) as StateName[]
const TYPES = Object.keys(tables.outbound) as Type[]

/** The stanzas that lead from "None" to each state: `>` is juliet's, `<` the contact's. */
const WAYS: Record<StateName, readonly string[]> = {
  None: [],
  'None + Pending Out': ['>subscribe'],
  'None + Pending In': ['<subscribe'],
  'None + Pending Out+In': ['>subscribe', '<subscribe'],
  To: ['>subscribe', '<subscribed'],
  'To + Pending In': ['>subscribe', '<subscribed', '<subscribe'],
  From: ['<subscribe', '>subscribed'],
  'From + Pending Out': ['<subscribe', '>subscribed', '>subscribe'],
  Both: ['<subscribe', '>subscribed', '>subscribe', '<subscribed']
}

/** Juliet with a client that follows her roster, and contacts elsewhere. */
class Stage {
  constructor(
    readonly juliet: Player,
    readonly far: Far
  ) {}

  async moves(move: string, contact: string): Promise<void> {
    const type = move.slice(1)
    if (move.startsWith('>')) {
      await this.juliet.sends(`<presence to='${contact}' type='${type}' id='move'/>`)
      await this.juliet.fence()
    } else {
      await this.far.says(`<presence from='${contact}' to='juliet@localhost' type='${type}' id='move'/>`)
      await this.juliet.fence()
    }
  }

  /** A contact in the roster, in that state; what came of getting there is forgotten. */
  async enters(state: StateName, contact: string): Promise<void> {
    await this.juliet.request(
      `<iq type='set'><query xmlns='jabber:iq:roster'><item jid='${contact}'/></query></iq>`
    )
    for (const move of WAYS[state]) await this.moves(move, contact)
    await this.juliet.forgets()
    this.far.heard.length = 0
  }

  /** The contact's item, as a client sees it. */
  async item(contact: string): Promise<Record<string, string | undefined>> {
    const answer = await this.juliet.request(`<iq type='get'><query xmlns='jabber:iq:roster'/></iq>`)
    const items = childrenOf(childOf(answer, 'query') as Element, 'item')
    const { subscription, ask, approved } = items.find(({ attrs }) => attrs.jid === contact)?.attrs ?? {}
    return { subscription, ask, approved }
  }

  /** Whether the contact's request waits: it is shown to whoever comes (§3.1.3). */
  async waits(contact: string): Promise<boolean> {
    await this.juliet.sends(`<presence type='unavailable'/>`)
    await this.juliet.forgets()
    await this.juliet.sends('<presence/>')
    await this.juliet.fence()
    const found = this.juliet.unread.some(({ attrs }) => attrs.type === 'subscribe' && attrs.from === contact)
    this.juliet.unread.length = 0
    this.far.heard.length = 0
    return found
  }
}

interface Wanted {
  subscription: string
  ask: string | undefined
  approved: string | undefined
  pendingIn: boolean
}

function wantedOf(name: string): Wanted {
  const state = tables.states[name as StateName] as {
    subscription: string
    ask?: string
    pendingIn?: boolean
  }
  return {
    subscription: state.subscription,
    ask: state.ask,
    approved: undefined,
    pendingIn: state.pendingIn === true
  }
}

const isFrom = (state: Wanted): boolean => state.subscription === 'from' || state.subscription === 'both'

/** Stanzas on one line each, as the table's outcome is written below. */
function linesOf(stanzas: readonly Element[]): string[] {
  return stanzas.map(stanza => {
    if (stanza.name === 'iq') return `push ${pushed(stanza)}`
    return `${stanza.attrs.type ?? 'available'} ${stanza.attrs.from}`
  })
}

function pushed(stanza: Element): string {
  const { jid, subscription, ask, approved } =
    childrenOf(childOf(stanza, 'query') as Element, 'item')[0]?.attrs ?? {}
  return [jid, subscription, ask && 'ask', approved && 'approved'].filter(Boolean).join(' ')
}

function pushOf(contact: string, before: Wanted, after: Wanted): string[] {
  const same =
    before.subscription === after.subscription &&
    before.ask === after.ask &&
    before.approved === after.approved
  if (same) return []
  return [
    ['push', contact, after.subscription, after.ask && 'ask', after.approved && 'approved']
      .filter(Boolean)
      .join(' ')
  ]
}

async function onStage(
  t: Parameters<typeof startTestServer>[0],
  script: (stage: Stage) => Promise<void>
): Promise<void> {
  const hosts = {
    localhost: { modules: { saslauth: {}, roster: {}, presence: {} } },
    'far.example': FAR_HOST
  }
  const server: TestServer = await startTestServer(t, { hosts })
  await scenario(
    server,
    { juliet: { jid: 'juliet@localhost/balcony', presence: true } },
    async ({ juliet }) => {
      await juliet.request(`<iq type='get'><query xmlns='jabber:iq:roster'/></iq>`)
      await script(new Stage(juliet, new Far(server)))
    }
  )
}

/** Compares where a contact has come to, after what was heard has been. */
async function ends(stage: Stage, contact: string, wanted: Wanted): Promise<void> {
  const { pendingIn, ...item } = wanted
  assert.deepEqual(await stage.item(contact), item, 'the item')
  assert.equal(await stage.waits(contact), pendingIn, 'a request waits')
}

for (const type of TYPES) {
  test(`A.2: outbound ${type} in every state`, async t => {
    await onStage(t, async stage => {
      for (const [at, state] of STATES.entries()) {
        await t.test(state, async () => {
          const contact = `c${at}@far.example`
          const before = wantedOf(state)
          const row = (tables.outbound[type] as Record<string, { route: string; new: string }>)[state]
          assert.ok(row)
          const after = row.new === 'pre-approval' ? { ...before, approved: 'true' } : wantedOf(row.new)
          await stage.enters(state, contact)
          await stage.moves(`>${type}`, contact)

          const routed: string[] = []
          if (row.route === 'MUST') {
            // §3.2.2: to whoever still is subscribed
            if (type === 'unsubscribed' && isFrom(before)) routed.push('unavailable juliet@localhost/balcony')
            routed.push(`${type} juliet@localhost`)
            // §3.1.5
            if (type === 'subscribed') routed.push('available juliet@localhost/balcony')
          }
          assert.deepEqual(linesOf(stage.far.heard), routed, 'what the contact hears')
          assert.deepEqual(
            linesOf(stage.juliet.unread),
            pushOf(contact, before, after),
            'what the user hears'
          )
          stage.juliet.unread.length = 0
          await ends(stage, contact, after)
        })
      }
    })
  })

  test(`A.3: inbound ${type} in every state`, async t => {
    await onStage(t, async stage => {
      for (const [at, state] of STATES.entries()) {
        await t.test(state, async () => {
          const contact = `c${at}@far.example`
          const before = wantedOf(state)
          const row = (
            tables.inbound[type] as Record<string, { deliver: string; new: string; note?: number }>
          )[state]
          assert.ok(row)
          const after = wantedOf(row.new)
          await stage.enters(state, contact)
          await stage.moves(`<${type}`, contact)

          // §3.1.6, §3.2.3, §3.3.3: delivered before the push
          const delivered = row.deliver === 'MUST' ? [`${type} ${contact}`] : []
          assert.deepEqual(
            linesOf(stage.juliet.unread),
            [...delivered, ...pushOf(contact, before, after)],
            'what the user hears'
          )
          stage.juliet.unread.length = 0
          assert.deepEqual(
            linesOf(stage.far.heard),
            answersTo(type, row.note, before),
            'what the contact hears'
          )
          await ends(stage, contact, after)
        })
      }
    })
  })
}

/** What the server says by itself. */
function answersTo(type: Type, note: number | undefined, before: Wanted): string[] {
  if (type === 'subscribe' && note === 2)
    return ['subscribed juliet@localhost', 'available juliet@localhost/balcony']
  if (type !== 'unsubscribe' || note !== 1) return []
  // §3.3.3: to whoever was subscribed
  const gone = isFrom(before) ? ['unavailable juliet@localhost/balcony'] : []
  return ['unsubscribed juliet@localhost', ...gone]
}
