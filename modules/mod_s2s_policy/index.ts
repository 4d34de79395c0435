import { defineModule } from '#core'
import { Circle } from './circle'
import { policyCommand } from './commands'
import { config, Override, summary } from './config'
import { Guard } from './guard'
import { Policy } from './policy'

/** Before whatever else looks at a stanza that comes or goes. */
const FIRST = { priority: 1000 }

/** Who may federate with the host. */
export default defineModule({
  name: 's2s_policy',
  description: 'Who may federate with a host: open, listed, or server buddies',
  on: ['virtual', 'component'],
  after: ['server_buddy'],
  // While it is away, nobody is let through whom it might refuse
  guards: ['federation/check', 'route/incoming', 'route/remote'],
  config,
  async setup(ctx) {
    const serverBuddy = ctx.use('server_buddy', { optional: true })
    let told = true
    /** Streams are asked about anew before anything else happens, once for all: a swap takes all buddies and brings them back. */
    const changed = (): void => {
      if (!told) return
      told = false
      queueMicrotask(() => {
        told = true
        ctx.emit('federation/changed', ctx.host.name)
      })
    }
    const circle = new Circle()
    const policy = new Policy(ctx.config, {
      store: ctx.store('policy', Override),
      circle,
      hasBuddies: () => serverBuddy.available,
      changed,
      show: override =>
        ctx.add('config-override', {
          option: ctx.module,
          value: summary(override),
          by: override.by,
          at: override.at
        })
    })
    await policy.load()
    circle.watch(ctx, ctx.config.buddiesOf, () => {
      if (policy.inForce.policy === 'buddies') changed()
    })
    const guard = new Guard(ctx, policy)

    ctx.hook('federation/check', ({ domain }) => guard.stream(domain), FIRST)
    ctx.hook('route/incoming', event => guard.incoming(event), FIRST)
    ctx.hook('route/remote', event => guard.outgoing(event), FIRST)
    ctx.adhoc(policyCommand(ctx, policy))
    ctx.reconfigure((file, old) => {
      if (file.buddiesOf !== old.buddiesOf) return false
      policy.setFile(file)
      return true
    })
    // What is open already was accepted under another version, or under none
    if (ctx.server.started) changed()
  }
})
