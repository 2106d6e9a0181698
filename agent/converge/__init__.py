"""From what is seen to what is done: observe, plan, act, prove, publish."""
