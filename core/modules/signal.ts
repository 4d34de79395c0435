type Add = AbortSignal['addEventListener']
type Remove = AbortSignal['removeEventListener']
type Listener = Parameters<Add>[1]
type Call = (what: string, fn: () => unknown) => void

/**
 * Makes the listeners of a signal callbacks that are caught: what one throws would otherwise reach the process, as
 * Node has it for all events of this kind.
 */
export function catchListeners(signal: AbortSignal, call: Call): void {
  const caught = new WeakMap<Listener, Listener>()
  const wrap = (listener: Listener): Listener => {
    const known = caught.get(listener)
    if (known) return known
    const wrapped = (event: Event): void =>
      call('a listener of ctx.signal', () =>
        typeof listener === 'function' ? listener.call(signal, event) : listener.handleEvent(event)
      )
    caught.set(listener, wrapped)
    return wrapped
  }
  const add: Add = signal.addEventListener.bind(signal)
  const remove: Remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (type: string, listener: Listener, options?: Parameters<Add>[2]) =>
    add(type, wrap(listener), options)
  signal.removeEventListener = (type: string, listener: Listener, options?: Parameters<Remove>[2]) =>
    remove(type, caught.get(listener) ?? listener, options)
}
