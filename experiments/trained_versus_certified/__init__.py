"""Trained networks beside the best network: how near do gradient methods come, and with how many neurons?"""
