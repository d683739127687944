/** A failed check of early validation, as DescribeEvents returns it. */
export interface FailedCheck {
  readonly logicalId: string;
  readonly type: string;
  readonly reason: string;
}
