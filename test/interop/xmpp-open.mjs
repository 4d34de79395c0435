/*
 * @xmpp/client 0.14 begins to listen for the answer to its stream header when that has been written. A server that is
 * quick, or a busy machine, answers before, and the client waits in vain. Balcony waits a moment for that (logins/xmpp-client.mjs
 * is the test, with the library as it is); tests of other things let it listen first, for they run on busy machines.
 */
export function listensInTime(entity) {
  const { open } = entity
  entity.open = options => {
    const opened = new Promise(resolve => {
      entity.once('open', resolve)
    })
    return Promise.race([opened, open.call(entity, options)])
  }
  return entity
}
