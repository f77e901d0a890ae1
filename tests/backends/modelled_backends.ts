import {
  DevpollSelector,
  EDGE_TRIGGERED,
  EpollSelector,
  EVENT_HANGUP,
  KqueueSelector,
  PollSelector,
  SelectSelector,
} from "../../mod.ts";
import { fakeLibrary, needsFakes } from "../support/fake_library.ts";
import { emulation, needsEmulation } from "../support/kqueue_emulation.ts";
import { skipUnless } from "../support/skip.ts";
import type { ModelledBackend } from "./model.ts";

/** The classes that are compared with the model. */
export const backends: readonly ModelledBackend[] = [
  {
    name: "EpollSelector",
    create: () => new EpollSelector(),
    supports: (events) => EpollSelector.supports(events),
    seesHalfClosed: true,
    descriptorsAreChecked: true,
    seesReuse: true,
    skip: skipUnless(EpollSelector.isAvailable(), "this system has no epoll"),
  },
  {
    name: "PollSelector",
    create: () => new PollSelector(),
    supports: (events) => PollSelector.supports(events),
    seesHalfClosed: true,
    descriptorsAreChecked: false,
    seesReuse: false,
  },
  {
    name: "SelectSelector",
    create: () => new SelectSelector(),
    supports: (events) => SelectSelector.supports(events),
    seesHalfClosed: true,
    descriptorsAreChecked: false,
    seesReuse: false,
    failsOnClosed: true,
  },
  {
    name: "KqueueSelector",
    create: () => new KqueueSelector({ library: fakeLibrary("kqueue") }),
    supports: (events) => KqueueSelector.supports(events),
    lacks: EDGE_TRIGGERED, // EV_CLEAR
    seesHalfClosed: true,
    descriptorsAreChecked: true,
    seesReuse: true,
    skip: needsFakes,
  },
  {
    name: "KqueueSelector[libc]",
    create: () => new KqueueSelector(),
    supports: (events) => KqueueSelector.supports(events),
    seesHalfClosed: true,
    descriptorsAreChecked: true,
    seesReuse: true,
    skip: skipUnless(KqueueSelector.isAvailable(), "this system has no kqueue"),
  },
  {
    name: "KqueueSelector[LIBKQUEUE]",
    create: () => new KqueueSelector({ library: emulation! }),
    supports: (events) => KqueueSelector.supports(events),
    lacks: EVENT_HANGUP, // It is reported after the data, not with it.
    seesHalfClosed: true,
    descriptorsAreChecked: true,
    needsUnregistering: true, // It uses epoll, where a registration outlives its descriptor.
    seesReuse: true,
    skip: needsEmulation,
  },
  {
    name: "DevpollSelector",
    create: () => new DevpollSelector({ library: fakeLibrary("devpoll") }),
    supports: (events) => DevpollSelector.supports(events),
    seesHalfClosed: false,
    descriptorsAreChecked: false,
    seesReuse: true,
    skip: needsFakes,
  },
];
