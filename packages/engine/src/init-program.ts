import { nativeProgram } from "@ramekin/native";

/** Path of ramekin-init, to be bound into containers as their pid 1. */
export const initProgram = (): string => nativeProgram("ramekin-init");
