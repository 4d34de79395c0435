import type { StreamHost } from './backend'
import type { ChannelBindings } from './channel-binding'
import type { SaslMechanism, SaslOffer } from './mechanism'

/** What a stream offers for logging in, by profile. It holds until somebody is logged in. */
export interface LoginOffer {
  /** RFC 6120 §6.4.1. */
  readonly old: SaslOffer
  /** XEP-0388 §2.1; no mechanisms where that is not offered. */
  readonly sasl2: SaslOffer
}

/** As much of a stream as decides what it offers. */
export interface Bindable {
  readonly secure: boolean
  readonly channelBindings: ChannelBindings | undefined
}

/** What may be offered on a stream as it is now. */
export function loginOffer(host: StreamHost, { secure, channelBindings }: Bindable): LoginOffer {
  const types = channelBindings?.types ?? []
  const possible = host.items
    .list('sasl-mechanism')
    // RFC 6120 §6.3.4
    .filter(({ needsTls, needsBinding }) => (secure || !needsTls) && (types.length > 0 || !needsBinding))
    .sort((a, b) => b.strength - a.strength)
  const old = possible.filter(
    ({ needsBinding, inOldList }) => !needsBinding || inOldList || channelBindings?.unique
  )
  const [sasl2] = host.items.list('sasl2')
  const inSasl2 = sasl2 && (secure || sasl2.outsideTls) ? possible : []
  // XEP-0440 §3: bindings are announced with mechanisms that make use of them, and not without.
  const bindings = [...old, ...inSasl2].some(({ needsBinding }) => needsBinding) ? types : []
  return {
    old: { mechanisms: namesOf(old), bindings },
    sasl2: { mechanisms: namesOf(inSasl2), bindings }
  }
}

function namesOf(mechanisms: readonly SaslMechanism[]): string[] {
  return mechanisms.map(({ name }) => name)
}
