FROM busybox
COPY secret.key script.sh suid.sh /modes/
COPY strange /modes/strange
