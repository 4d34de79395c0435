import type { Pool, RowDataPacket } from 'mysql2/promise'

/** What `CHECK TABLE` says against any table of the database. */
export async function checkTables(pool: Pool): Promise<string[]> {
  const [tables] = await pool.query<RowDataPacket[]>(
    "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'"
  )
  const faults: string[] = []
  for (const { name } of tables as { name: string }[]) {
    const [lines] = await pool.query<RowDataPacket[]>('CHECK TABLE ??', [name])
    for (const line of lines as { Msg_type: string; Msg_text: string }[])
      if (line.Msg_type === 'error' || (line.Msg_type === 'status' && line.Msg_text !== 'OK'))
        faults.push(`${name}: ${line.Msg_text}`)
  }
  return faults
}
