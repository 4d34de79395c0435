/*
 * @xmpp/client 0.14 begins to listen for the answer to its stream header when that has been written. A server that is
 * quick, or a busy machine, answers before, and the client waits in vain. This lets it listen first.
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
