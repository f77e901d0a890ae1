import { familyOfAddress, type SocketAddress } from "./address.ts";
import { abi } from "../abi/mod.ts";
import { assertInternetAddress, type InternetAddress, parseAddress } from "./internet_address.ts";
import { decodeDistinct, resolve } from "./resolve.ts";
import { resolveBlocking } from "./resolver.ts";

const { AF_INET, AF_INET6, AF_UNSPEC } = abi.constants;

/** An address, and the family of the socket that can use it. */
export interface Endpoint {
  readonly family: number;
  readonly address: SocketAddress;
}

/**
 * Returns where an address leads: an endpoint for each address of its hostname. Resolving blocks.
 *
 * @param address The address
 * @returns One endpoint or more
 * @throws {TypeError} If it is not an address
 * @throws {RangeError} If a part of it is out of range
 * @throws {OSError} If the name cannot be resolved (`getaddrinfo`)
 */
export function endpointsBlocking(address: SocketAddress): Endpoint[] {
  const family = familyOfAddress(address);
  if (family !== null) return [{ family, address }];
  const internet = address as InternetAddress;
  assertInternetAddress(internet);
  return endpointsOf(decodeDistinct(resolveBlocking(internet.hostname, AF_UNSPEC)), internet.port);
}

/** Does the same, but resolves off the thread. A signal ends the wait. */
export async function endpoints(address: SocketAddress, signal?: AbortSignal): Promise<Endpoint[]> {
  const family = familyOfAddress(address);
  if (family !== null) return [{ family, address }];
  const internet = address as InternetAddress;
  assertInternetAddress(internet);
  const options = signal === undefined ? {} : { signal };
  return endpointsOf(await resolve(internet.hostname, options), internet.port);
}

function endpointsOf(addresses: readonly InternetAddress[], port: number): Endpoint[] {
  return addresses.map(({ hostname }) => ({
    family: parseAddress(hostname, AF_INET) === null ? AF_INET6 : AF_INET,
    address: { hostname, port },
  }));
}
