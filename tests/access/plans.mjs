// How D1 runs the statements that the Worker has sent: whether one reads a whole table.

/** The steps of a statement's plan. */
async function plan(server, sql) {
  const numbers = [...sql.matchAll(/\?(\d+)/g)].map(([, number]) => Number(number));
  const values = Array.from({ length: Math.max(0, ...numbers) }, () => null);
  return (await server.sql(`EXPLAIN QUERY PLAN ${sql}`, ...values)).map(({ detail }) => detail);
}

/** Steps that read a table or an index from its beginning, by statement: `[statement, step]`. */
export async function scans(server) {
  const { queries } = await server.count();
  const found = [];
  for (const sql of new Set(queries)) {
    for (const step of await plan(server, sql)) {
      if (/^SCAN (?!CONSTANT)/.test(step)) found.push([sql.replace(/\s+/g, " "), step]);
    }
  }
  return found;
}
