import assert from 'node:assert/strict'
import test from 'node:test'
import { childOf } from '../../core/xml/element'
import { IM_HOST } from '../lib/config'
import { mismatch, parsePattern } from '../lib/pattern'
import { startTestServer } from '../lib/server'
import { scenario, type Player } from '../lib/wire'
import { ADMIN, COMMANDS, run, statusOf } from '../modules/mod_adhoc_admin/helpers'

/** Examples 37 to 44 of XEP-0133, as they are printed; sessions are left open. */

const values = (jids: readonly string[]): string =>
  jids.map(jid => `<value>${jid}</value>`).join('\n        ')

interface Story {
  section: string
  examples: string
  node: string
  title: string
  what: string
  field: string
  label: string
  before: readonly string[]
  after: readonly string[]
}

const WHITE = {
  section: '4.12',
  title: 'Editing the Whitelist',
  what: 'allowed',
  field: 'whitelistjids',
  label: 'The whitelist',
  before: ['capulet.com', 'denmark.lit', 'england.lit', 'montague.net'],
  after: ['capulet.com', 'england.lit', 'montague.net', 'verona.it']
} as const

const STORIES: readonly Story[] = [
  {
    section: '4.11',
    examples: '37 to 40',
    node: 'edit-blacklist',
    title: 'Editing the Blacklist',
    what: 'disallowed',
    field: 'blacklistjids',
    label: 'The blacklist',
    before: ['marlowe.lit'],
    after: ['denmark.lit', 'france.lit', 'marlowe.lit']
  },
  { ...WHITE, examples: '41 to 44', node: 'edit-whitelist' },
  { ...WHITE, examples: '41 to 44, by the name in the text', node: 'add-to-whitelist' }
]

async function tell(bard: Player, story: Story): Promise<void> {
  const { node, title, what, field, label, before, after } = story
  const asked = await bard.request(
    `<iq from='bard@shakespeare.lit/globe' id='${node}-1' to='shakespeare.lit' type='set' xml:lang='en'>
       <command xmlns='${COMMANDS}' action='execute' node='${ADMIN}#${node}'/>
     </iq>`
  )
  const form = `<iq from='shakespeare.lit' id='${node}-1' to='bard@shakespeare.lit/globe' type='result'>
    <command xmlns='${COMMANDS}' node='${ADMIN}#${node}' sessionid='*' status='executing'>
      <x xmlns='jabber:x:data' type='form'>
        <title>${title}</title>
        <instructions>Fill out this form to edit the list of entities with whom communications are ${what}.</instructions>
        <field type='hidden' var='FORM_TYPE'><value>${ADMIN}</value></field>
        <field label='${label}' var='${field}' t:ordered='yes'>${values(before)}</field>
      </x></command></iq>`
  assert.equal(mismatch(parsePattern(form), asked, new Map()), undefined, String(asked))
  const { sessionid } = childOf(asked, 'command')?.attrs ?? {}
  const done = await bard.request(
    `<iq from='bard@shakespeare.lit/globe' id='${node}-2' to='shakespeare.lit' type='set' xml:lang='en'>
       <command xmlns='${COMMANDS}' node='${ADMIN}#${node}' sessionid='${sessionid}'>
         <x xmlns='jabber:x:data' type='submit'>
           <field type='hidden' var='FORM_TYPE'><value>${ADMIN}</value></field>
           <field var='${field}'>${values(after)}</field>
         </x></command></iq>`
  )
  const completed = `<iq from='shakespeare.lit' id='${node}-2' to='bard@shakespeare.lit/globe' type='result'>
    <command xmlns='${COMMANDS}' node='${ADMIN}#${node}' sessionid='${sessionid}' status='completed'/></iq>`
  assert.equal(mismatch(parsePattern(completed), done, new Map()), undefined, String(done))
}

test('XEP-0133 §4.11, §4.12: the examples, as they are printed', async t => {
  const server = await startTestServer(t, {
    hosts: { 'shakespeare.lit': { ...IM_HOST, admins: ['bard@shakespeare.lit'] } },
    modules: { entity_lists: {} }
  })
  await scenario(server, { bard: 'bard@shakespeare.lit/globe' }, async ({ bard }) => {
    for (const story of STORIES) {
      await t.test(`§${story.section}, examples ${story.examples}`, async () => {
        const filled = await run(bard, `${ADMIN}#${story.node}`, { [story.field]: [] }, 'shakespeare.lit')
        assert.equal(statusOf(filled), 'completed')
        await run(bard, `${ADMIN}#${story.node}`, { [story.field]: story.before }, 'shakespeare.lit')
        await tell(bard, story)
      })
    }
  })
})
