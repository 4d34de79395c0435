import assert from 'node:assert/strict'
import test from 'node:test'
import { Questions } from '../../../core/federation/questions'

test('keys from one address cannot take the places of all others', async () => {
  const questions = new Questions()
  const ends: Array<() => void> = []
  const never = (): Promise<string> => new Promise(resolve => ends.push(() => resolve('valid')))
  const asked = Array.from({ length: 400 }, (_, n) => questions.ask(`2001:db8::${n + 1}`, never))
  assert.ok(asked.every(answer => answer !== undefined))
  assert.equal(questions.ask('2001:db8::ffff', never), undefined, 'the same /64')
  assert.equal(await questions.ask('192.0.2.1', () => Promise.resolve('valid')), 'valid')
  ends[0]?.()
  assert.equal(await asked[0], 'valid')
  assert.equal(await questions.ask('2001:db8::ffff', () => Promise.resolve('invalid')), 'invalid')
  await assert.rejects(questions.ask('192.0.2.1', () => Promise.reject(new Error('no'))) ?? Promise.resolve())
  for (const end of ends) end()
  await Promise.all(asked)
})
