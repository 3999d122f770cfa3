FROM busybox
LABEL one=1 "two words"=2 three="3 3" four='4 $DISH' five="5 $DISH"
LABEL old style of one
LABEL multi="line \
continued" \
  six=six
LABEL one=again empty="" com.example.dotted-name="x=y"
