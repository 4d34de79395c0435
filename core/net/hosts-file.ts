import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { dnsName, type Address } from './place'

const HOSTS_FILE = process.platform === 'win32' ? 'C:\\Windows\\System32\\drivers\\etc\\hosts' : '/etc/hosts'

/** The addresses that the system's own table gives to a name; none where there is no table. */
export async function hostsFileAddresses(name: string, file = HOSTS_FILE): Promise<Address[]> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const found: Address[] = []
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    const family = isIP(address)
    if (family !== 0 && names.some(other => dnsName(other) === name))
      found.push({ address, family: family as 4 | 6 })
  }
  return found
}
