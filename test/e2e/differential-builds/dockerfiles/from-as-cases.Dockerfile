from busybox as First
run echo first > /first
FROM first aS second
copy --from=FIRST /first /copied
