import assert from 'node:assert/strict'
import test from 'node:test'
import { Bus } from '../../../core/events/bus'
import { memoryLog, type Line } from '../modules/rig'

interface Notices {
  came: (who: string, times: number) => void
}

test('a listener that fails is logged and keeps nobody from hearing', async () => {
  const lines: Line[] = []
  const bus = new Bus<Notices>(memoryLog(lines))
  const heard: string[] = []
  bus.on('came', () => {
    throw new Error('at once')
  })
  const late: () => unknown = () => Promise.reject(new Error('later'))
  bus.on('came', late)
  const end = bus.on('came', (who, times) => void heard.push(`${who} ${times}`))
  bus.emit('came', 'juliet', 2)
  end()
  bus.emit('came', 'romeo', 1)
  await new Promise(setImmediate)
  assert.deepEqual(heard, ['juliet 2'])
  const errors = lines.filter(line => line.level === 'error').map(line => line.text)
  assert.equal(errors.filter(text => text.includes('at once')).length, 2)
  assert.equal(errors.filter(text => text.includes('later')).length, 2)
})
