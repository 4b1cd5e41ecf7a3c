import type { Deadline } from '@bluewave/runtime/deadline';
import type { Device, DeviceInfo } from './device.ts';

/** What is known of devices besides their sessions. A record nobody touches until `expiresAt` goes away. */
export type DeviceStore = {
  /** Creates or changes a record; what `info` does not say stays, or gets a default. */
  put(
    userId: string,
    deviceId: string,
    info: DeviceInfo,
    seenAt: number,
    expiresAt: number,
    deadline: Deadline,
  ): Promise<Device>;
  find(userId: string, deviceIds: string[], deadline: Deadline): Promise<Device[]>;
  /** @returns whether there was one. */
  remove(userId: string, deviceId: string, deadline: Deadline): Promise<boolean>;
};
