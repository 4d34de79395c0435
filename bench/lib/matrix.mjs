// What is measured: the options of bench.mjs for each scenario, and which servers it is for (README.md).
//   set    full: every server; pubsub: also those that stand for nothing else
//   pair   two servers of the kind, one beside the other
//   env    for the set-up script
//   needs  what is prepared before: see prepare.mjs
export const MATRIX = [
  { key: 'login-plain', args: '--scenario login --mech plain', set: 'full' },
  { key: 'login-scram', args: '--scenario login --mech scram', set: 'full' },
  { key: 'login-tls', args: '--scenario login --tls', set: 'full' },
  {
    key: 'idle',
    args: '--scenario idle --users 1000 --connections 1000 --seconds 15',
    set: 'full',
    needs: ['many-accounts']
  },
  {
    key: 'idle-tls',
    args: '--scenario idle --tls --users 1000 --connections 1000 --seconds 15',
    set: 'full',
    needs: ['many-accounts']
  },
  { key: 'chat', args: '--scenario chat', set: 'full' },
  { key: 'chat-1', args: '--scenario chat --pairs 1 --window 1', set: 'full' },
  { key: 'chat-tls', args: '--scenario chat --tls', set: 'full' },
  { key: 's2s', args: '--scenario s2s', set: 'full', pair: true },
  { key: 'iq-ping', args: '--scenario iq --iq ping', set: 'full' },
  { key: 'iq-disco', args: '--scenario iq --iq disco', set: 'full' },
  { key: 'flood', args: '--scenario flood --users 101', set: 'full', env: { LIMITS: 'on' } },
  { key: 'publish1', args: '--scenario publish1', set: 'pubsub', sub: r => `publish1-w${r.window ?? '?'}` },
  {
    key: 'publish1-full',
    args: '--scenario publish1 --window 20 --prefill 10000 --preload-seconds 120',
    set: 'pubsub',
    only: ['prosody-sqlite', 'ejabberd', 'ejabberd-sqlite']
  },
  { key: 'fanout', args: '--scenario fanout --subscribers 100 --users 101', set: 'pubsub' },
  { key: 'items', args: '--scenario items --seconds 30 --preload 10000', set: 'pubsub', needs: ['items'] },
  { key: 'presence', args: '--scenario presence', set: 'full', needs: ['rosters'] }
]

/** Whether a server takes part in a scenario. */
export function takesPart(name, server, scenario) {
  if (scenario.only && !scenario.only.includes(name) && !server.all) return false
  if (server.skip?.includes(scenario.key)) return false
  return server.set === 'full' || scenario.set === 'pubsub'
}
