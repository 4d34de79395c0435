import { defineModule, type KindPolicy, type LimitsPolicy } from '#core'
import { config, type Config } from './config'

/**
 * How much streams may bring, how many there may be, and how fast passwords may be tried (XEP-0205, XEP-0478). The
 * mechanism is core's, as the streams are: this says the numbers.
 */
export default defineModule({
  name: 'limits',
  description: 'Rates, sizes and numbers of streams; failed logins (XEP-0205, XEP-0478)',
  on: ['server'],
  config,
  setup(ctx) {
    const { limits } = ctx.server
    limits.set(policyOf(ctx.config))
    ctx.reconfigure(changed => {
      limits.set(policyOf(changed))
      return true
    })
    // Whoever comes next says its own; what an operator takes away holds no longer.
    ctx.defer(({ why }) => {
      if (why === 'unload') limits.set(undefined)
    })
  }
})

function policyOf(options: Config): LimitsPolicy {
  const { c2s, s2s, component, upstream, login } = options
  return {
    kinds: {
      c2s: kindOf(c2s),
      s2s: kindOf(s2s),
      component: kindOf(component),
      upstream: kindOf({ ...upstream, connectionsPerAddress: 0, connectionsPerMinute: 0 })
    },
    http: {
      perAddress: options.http.connectionsPerAddress,
      perMinute: options.http.connectionsPerMinute
    },
    unauthenticated: options.unauthenticated,
    unauthenticatedPerAddress: options.unauthenticatedPerAddress,
    trusted: options.trusted,
    unreadTime: options.unreadSeconds * 1000,
    announce: options.announce,
    logins: {
      freePerAccountAndAddress: login.freePerAccountAndAddress,
      freePerAddress: login.freePerAddress,
      freePerAccount: login.freePerAccount,
      longestDelay: login.longestDelaySeconds * 1000,
      longestDelayForOthers: login.longestDelayForOthersSeconds * 1000,
      derivations: login.checksAtATime
    }
  }
}

function kindOf(options: Config['c2s']): KindPolicy {
  const { bytesPerSecond, stanzasPerSecond } = options
  return {
    stanzaBytes: options.stanzaBytes,
    rates: {
      bytesPerSecond,
      burstBytes: Math.max(options.burstBytes, bytesPerSecond),
      stanzasPerSecond,
      burstStanzas: Math.max(options.burstStanzas, stanzasPerSecond)
    },
    perAddress: options.connectionsPerAddress,
    perMinute: options.connectionsPerMinute
  }
}
