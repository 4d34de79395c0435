import test from 'node:test'
import { federation } from '../lib/federation'
import { join } from '../lib/wire'

test('two servers exchange messages by dialback', async t => {
  const servers = await federation(t, { 'a.example': {}, 'b.example': {} })
  const romeo = await join(servers['a.example'], 'romeo', { jid: 'romeo@a.example/orchard', presence: true })
  const juliet = await join(servers['b.example'], 'juliet', {
    jid: 'juliet@b.example/balcony',
    presence: true
  })
  t.after(() => {
    romeo.destroy()
    juliet.destroy()
  })
  await romeo.sends(`<message to='juliet@b.example/balcony' type='chat'><body>But soft</body></message>`)
  await juliet.receives(`<message from='romeo@a.example/orchard' type='chat'><body>But soft</body></message>`)
  await juliet.sends(`<message to='romeo@a.example/orchard' type='chat'><body>Ay me</body></message>`)
  await romeo.receives(`<message from='juliet@b.example/balcony' type='chat'><body>Ay me</body></message>`)
})
