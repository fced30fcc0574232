/** Servers of a suite with the connections to them, closed after each test. */
import { afterEach } from "vitest";
import { HttpConnections } from "#http/connections.ts";
import { type ModelServer, type Play, playServer } from "./model-server.ts";

export function closedAfterEach() {
  const open: { server: ModelServer; connections: HttpConnections }[] = [];
  afterEach(async () => {
    for (const { server, connections } of open.splice(0)) {
      connections.close();
      await server.close();
    }
  });
  return async (play: Play) => {
    const opened = { server: await playServer(play), connections: new HttpConnections() };
    open.push(opened);
    return opened;
  };
}
