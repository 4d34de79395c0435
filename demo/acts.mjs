/*
 * The acts of the demo, one scene after the other. Reads from standard input where the server is and who has which
 * password; ends with 1 where something did not come about.
 */
import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { callTheMeeting, talkOnTheBalcony } from './balcony.mjs'
import { Person } from './person.mjs'
import { keepOrder } from './square.mjs'
import { swapUnderTheirFeet, trustEachOther } from './town-hall.mjs'

const stage = JSON.parse(await text(process.stdin))

/** Who has come in, by name. */
const enter = async (...names) => {
  const people = names.map(name => new Person(`${name}@localhost/verona`, stage).enters())
  return Object.fromEntries((await Promise.all(people)).map((person, at) => [names[at], person]))
}

let steps = 0
const narrator = {
  scene: title => console.log(`\n  ${title}\n  ${'─'.repeat(title.length)}`),
  tells: line => console.log(`  ${String(++steps).padStart(2)}  ${line}`)
}

/** The curtain, when something does not come about. */
function falls(error) {
  const { condition, application, text: words } = error
  const what = condition ? `the server answered ${application?.name ?? condition} ${words}` : error.message
  console.error(`\n  After step ${steps}: ${what}`)
  process.exit(1)
}

const cast = await enter('juliet', 'romeo', 'nurse', 'benvolio', 'mercutio', 'tybalt', 'admin')
for (const scene of [talkOnTheBalcony, keepOrder, callTheMeeting, trustEachOther, swapUnderTheirFeet])
  await scene(cast, narrator, stage).catch(falls)
await Promise.all(Object.values(cast).map(person => person.leaves()))
assert.equal(process.exitCode ?? 0, 0)
console.log(
  `\n  ${steps} steps, and nothing was lost. The folder of this Verona is gone when you read this.\n`
)
// A timer of the library's may be left, and would hold us for half a minute.
process.exit()
